// /metrics: a survey of the node as Prometheus text. Pure; prometheus-cpp's types stay in metrics.cpp.
#pragma once

#include <string>

#include "core/time.hpp"
#include "tools/rpc/facts.hpp"

namespace anabranch::http {

/// Prefix `anabranch_`, base units, `_total` for counters, HELP and TYPE; label `shard` on what a shard counts, no label per
/// key. Passes `promtool check metrics`. A metric whose name or label is not well-formed is left out.
std::string metrics_text(const rpc::Survey& survey, const rpc::Facts& facts, const rpc::DoorCounters& doors,
                         core::Instant now);

}  // namespace anabranch::http
