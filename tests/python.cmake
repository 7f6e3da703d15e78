# Python is nobody's dependency: its tests are there where it is. KAON_PYTHON is the one that comes with the system where there are
# several; KAON_PYTHON_H5 says whether it has h5py and numpy.
find_program(KAON_PYTHON NAMES python3 HINTS /usr/bin NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
set(KAON_PYTHON_H5 NO)
if(KAON_PYTHON)
  execute_process(COMMAND ${KAON_PYTHON} -c "import h5py, numpy" RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed EQUAL 0)
    set(KAON_PYTHON_H5 YES)
  endif()
endif()
if(NOT KAON_PYTHON_H5)
  message(STATUS "Tests that read or write HDF5 files with Python are left out: no python3 with h5py and numpy (Debian: python3-h5py)")
endif()
