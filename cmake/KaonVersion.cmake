# Version and git hash for --version, logs and files; the hash is read anew at every build.
find_package(Git QUIET)
set(kaon_version_header ${PROJECT_BINARY_DIR}/generated/kaon_build_info.hpp)
add_custom_target(kaon_build_info
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${kaon_version_header} -DVERSION=${PROJECT_VERSION}
    -DGIT=${GIT_EXECUTABLE} "-DFLAGS=${CMAKE_BUILD_TYPE} ${KAON_ARCH_FLAGS}" "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
    -P ${PROJECT_SOURCE_DIR}/cmake/build_info.cmake
  BYPRODUCTS ${kaon_version_header} VERBATIM)
