#include "tools/cli/version.hpp"

namespace anabranch::cli {

std::string_view version_text() { return ANABRANCH_VERSION; }

}  // namespace anabranch::cli
