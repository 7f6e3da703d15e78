# Damaged checkpoints and failing disks. ctest runs the short forms; the campaigns are
#   kaon_damage --long --out results.jsonl; python3 tests/reliability/files_disk.py --long --out results.jsonl
add_executable(kaon_damage files_main.cpp files_apart.cpp files_damage.cpp)
kaon_batch(kaon_damage 3)
target_link_libraries(kaon_damage PRIVATE kaon_checkpoint kaon_random kaon_flags)
foreach(part flips exhaustive bursts damage)
  add_test(NAME fault.files_${part} COMMAND kaon_damage ${part})
  set_tests_properties(fault.files_${part} PROPERTIES LABELS fault PROCESSORS 2 TIMEOUT 300 ENVIRONMENT
    "OMP_NUM_THREADS=1;OMP_PROC_BIND=false;OMP_WAIT_POLICY=passive;OPENBLAS_NUM_THREADS=1")
endforeach()

# Faults of the file system below kaon-train. No sanitizer in the library: it is loaded before the program's own.
add_library(kaon_disk SHARED files_disk.cpp)
target_compile_features(kaon_disk PRIVATE cxx_std_20)
target_link_libraries(kaon_disk PRIVATE ${CMAKE_DL_LIBS})
target_compile_options(kaon_disk PRIVATE -Wall -Wextra -Wshadow $<$<BOOL:${KAON_WARNINGS_AS_ERRORS}>:-Werror>)

if(KAON_PYTHON AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  foreach(part faults program_flips odd_folders real_disks)
    add_test(NAME fault.files_${part} COMMAND ${KAON_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/files_disk.py ${part}
      --build ${PROJECT_BINARY_DIR} "--mpiexec=${MPIEXEC_EXECUTABLE} ${MPIEXEC_PREFLAGS}")
    set_tests_properties(fault.files_${part} PROPERTIES LABELS fault PROCESSORS 2 TIMEOUT 600 SKIP_RETURN_CODE 77)
  endforeach()
else()
  message(STATUS "Tests of failing disks are left out: they need python3 and Linux")
endif()
