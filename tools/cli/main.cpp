#include "tools/cli/command.hpp"

int main(int argc, char** argv) { return anabranch::cli::run_main(argc, argv); }
