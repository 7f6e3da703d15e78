# Installs libraries, headers and programs, and the package that find_package(Kaon) reads. Comes before tests/: what they add stays here.
include(CMakePackageConfigHelpers)
get_property(rooms GLOBAL PROPERTY KAON_ROOMS)
get_property(folders GLOBAL PROPERTY KAON_ROOM_FOLDERS)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Kaon)

# Kaon::kaon is everything.
add_library(kaon INTERFACE)
add_library(Kaon::kaon ALIAS kaon)
target_link_libraries(kaon INTERFACE ${rooms})

install(TARGETS kaon kaon_kokkos ${rooms} EXPORT KaonTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(folder ${folders})
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kaon FILES_MATCHING PATTERN "*.hpp")
endforeach()
# A Kokkos of a site or a cache lies where the loader does not look by itself.
set_target_properties(${KAON_PROGRAMS} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS ${KAON_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

install(EXPORT KaonTargets NAMESPACE Kaon:: DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/KaonConfig.cmake.in ${PROJECT_BINARY_DIR}/KaonConfig.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/KaonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/KaonConfig.cmake ${PROJECT_BINARY_DIR}/KaonConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/KaonDependencies.cmake DESTINATION ${package})
