set(hash unknown)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=* OUTPUT_VARIABLE out
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE rc)
  if(rc EQUAL 0)
    set(hash ${out})
  endif()
endif()
string(STRIP "${FLAGS}" FLAGS)
set(text "#pragma once
#define KAON_VERSION \"${VERSION}\"
#define KAON_GIT_HASH \"${hash}\"
#define KAON_BUILD_FLAGS \"${FLAGS}\"
#define KAON_COMPILER \"${COMPILER}\"
")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
