#ifndef KAON_FILES_STANDARD_OUTPUT_HPP
#define KAON_FILES_STANDARD_OUTPUT_HPP

#include <string_view>

namespace kaon::files {

/// For the first line of main(). A write into a pipe whose reader has gone, or beyond the limit of a file's size, is an error of
/// that write and no signal that ends the program. Where standard input, output or error is closed, what goes there is an error,
/// too: else the next file that is opened would take its place, and the log be written into it.
void secure_standard_streams();

/// Prints to standard output. What goes wrong shows in flush_standard_output().
void print(std::string_view text);

/// Hands all that was printed to the system. Throws IoError when any of it could not be written. Quiet where the reader of a pipe
/// has gone: it has seen what it wanted.
void flush_standard_output();

/// For the last line of main(): `code`, or with an error message 74 where that is 0 and standard output could not be written.
int with_output_written(char const* program, int code);

}  // namespace kaon::files

#endif
