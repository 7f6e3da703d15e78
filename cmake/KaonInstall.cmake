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
# A Kokkos of a site or a cache lies where the loader does not look by itself; Kaon's own shared libraries lie where the folder that was
# installed is now.
set_target_properties(${KAON_PROGRAMS} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
if(BUILD_SHARED_LIBS)
  set(origin $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>)
  file(RELATIVE_PATH libraries ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(${KAON_PROGRAMS} PROPERTIES INSTALL_RPATH ${origin}/${libraries})
  foreach(room ${rooms})
    get_target_property(kind ${room} TYPE)
    if(kind STREQUAL "SHARED_LIBRARY")
      set_target_properties(${room} PROPERTIES INSTALL_RPATH ${origin} INSTALL_RPATH_USE_LINK_PATH ON)
    endif()
  endforeach()
endif()
install(TARGETS ${KAON_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

install(EXPORT KaonTargets NAMESPACE Kaon:: DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/KaonConfig.cmake.in ${PROJECT_BINARY_DIR}/KaonConfig.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/KaonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/KaonConfig.cmake ${PROJECT_BINARY_DIR}/KaonConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/KaonDependencies.cmake DESTINATION ${package})
