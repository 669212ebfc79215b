// The version of this build, as the build file names it.
#pragma once

#include <string_view>

namespace anabranch::cli {

std::string_view version_text();

}  // namespace anabranch::cli
