# cmake -DBUILD=… -DSOURCE=… -DWORK=… … -P example.cmake
cmake_minimum_required(VERSION 3.22)
set(prefix ${WORK}/prefix)
set(example ${WORK}/example)
file(REMOVE_RECURSE ${WORK}/elsewhere ${prefix} ${example})

include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/elsewhere)
file(RENAME ${WORK}/elsewhere ${prefix})  # what is installed can be moved

# Headers of every room, and nothing of the tests.
foreach(header core/types linalg/gemm objective/objective step/engine keys/key_values run/train_main)
  if(NOT EXISTS ${prefix}/include/kaon/${header}.hpp)
    message(FATAL_ERROR "kaon/${header}.hpp was not installed")
  endif()
endforeach()
file(GLOB_RECURSE installed RELATIVE ${prefix} ${prefix}/*)
foreach(file ${installed})
  if(file MATCHES "support|gtest|kaon_flags")
    message(FATAL_ERROR "${file} belongs to the tests and was installed")
  endif()
endforeach()
# The package may name no folder of the build or of the sources.
file(GLOB packages ${prefix}/lib*/cmake/Kaon/*.cmake ${prefix}/lib*/*/cmake/Kaon/*.cmake)
foreach(file ${packages})
  file(READ ${file} text)
  foreach(folder ${BUILD}/ ${SOURCE}/)
    string(FIND "${text}" "${folder}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}")
    endif()
  endforeach()
endforeach()
run("the installed kaon-train --version" ${prefix}/bin/kaon-train --version)
message("${out}")

file(COPY ${SOURCE}/examples/own-objective/ DESTINATION ${example} PATTERN "build*" EXCLUDE)
run("configuring the example" ${CMAKE_COMMAND} -S ${example} -B ${example}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX}
  -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_FLAGS=${FLAGS})
run("building the example" ${CMAKE_COMMAND} --build ${example}/build)

foreach(ranks 1 2)
  file(MAKE_DIRECTORY ${example}/run-${ranks})
  run("the example's loop on ${ranks} ranks" ${CMAKE_COMMAND} -E chdir ${example}/run-${ranks}
    ${MPIEXEC} ${NP} ${ranks} ${example}/build/factorise-loop)
  set(out_${ranks} "${out}")
  run("the example on ${ranks} ranks" ${CMAKE_COMMAND} -E chdir ${example}/run-${ranks}
    ${MPIEXEC} ${NP} ${ranks} ${example}/build/factorise -i ${example}/factorise.deck -r auto)
  file(STRINGS ${example}/run-${ranks}/factorise-run/metrics.csv last_${ranks})
  list(GET last_${ranks} -1 last_${ranks})
  string(REGEX REPLACE "^([^,]*,[^,]*),.*" "\\1" last_${ranks} "${last_${ranks}}")
endforeach()
message("${out_1}metrics.csv, last row: step,loss = ${last_1}")
if(NOT out_1 STREQUAL out_2)
  message(FATAL_ERROR "1 rank and 2 ranks differ; on 2 ranks:\n${out_2}")
endif()
if(NOT last_1 STREQUAL last_2)
  message(FATAL_ERROR "metrics.csv ends with ${last_1} on 1 rank and ${last_2} on 2")
endif()
string(REGEX MATCHALL "loss [^ ]+" losses "${out_1}")
list(GET losses 0 first)
list(GET losses -1 last)
string(SUBSTRING "${first}" 5 -1 first)
string(SUBSTRING "${last}" 5 -1 last)
# 0.045 is half the noise's variance, which no factorisation of this rank goes far below.
if(NOT first GREATER 3 OR NOT last LESS 0.1)
  message(FATAL_ERROR "the loss went from ${first} to ${last}; expected from above 3 to below 0.1")
endif()
# Started again in the same folder it finds its own run, finished.
run("the example, once more" ${CMAKE_COMMAND} -E chdir ${example}/run-2 ${MPIEXEC} ${NP} 2
  ${example}/build/factorise -i ${example}/factorise.deck -r auto)
file(STRINGS ${example}/run-2/factorise-run/metrics.csv again)
list(LENGTH again rows)
if(NOT rows EQUAL 201)
  message(FATAL_ERROR "a second run of the example left ${rows} lines in metrics.csv, expected 201")
endif()
message("the loss fell from ${first} to ${last}, the same on 1 and 2 ranks")
