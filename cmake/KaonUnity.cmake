# kaon_batch(TARGET [SIZE]): compiles SIZE sources of TARGET as one where KAON_UNITY is on. nvcc needs a minute for every file that
# includes Kokkos, whatever else is in it; rooms without Kokkos stay as they are.
set(kaon_unity_default OFF)
if("CUDA" IN_LIST Kokkos_DEVICES)
  set(kaon_unity_default ON)
endif()
option(KAON_UNITY "Compile several sources of a room as one (on by default with CUDA)" ${kaon_unity_default})
# Macros that sources define for themselves.
set(kaon_forget "")
foreach(macro KERNEL WORKSPACE QUERY RECORDS CHECKSUM)
  string(APPEND kaon_forget "#undef KAON_${macro}\n")
endforeach()
function(kaon_batch target)
  if(KAON_UNITY)
    set(size 6)
    if(ARGC GREATER 1)
      set(size ${ARGV1})
    endif()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE BATCH UNITY_BUILD_BATCH_SIZE ${size}
      UNITY_BUILD_CODE_AFTER_INCLUDE "${kaon_forget}")
    # GCC takes a source that another includes for a header, whose unnamed namespaces it warns of.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# kaon_host_only(TARGET SOURCE...): these sources include no Kokkos and are compiled one by one. A compiler for devices is told to
# work for the host alone; Kokkos' headers say so where it is not true. Not for sources with a macro that is a string: nvcc_wrapper loses
# the quotes.
function(kaon_host_only target)
  if(CMAKE_CXX_COMPILER MATCHES "nvcc_wrapper")
    set(flag "--host-only")
  elseif("HIP" IN_LIST Kokkos_DEVICES)
    set(flag -x c++)  # hipcc takes every source for HIP, of which clang 15 dies where nlohmann-json is in it
  else()
    set(flag "")
  endif()
  set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${flag}" SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
