// A node's status as one JSON object: the same from `anabranch status --json` and from /api/v1/status.
#pragma once

#include <string>

#include "tools/rpc/client.hpp"

namespace anabranch::http {

/// A node id as people see it: 16 hexadecimal digits.
std::string id_text(core::NodeId id);
std::string status_json(const rpc::Status& status);

}  // namespace anabranch::http
