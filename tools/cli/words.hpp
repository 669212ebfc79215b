// From the words of the command line to updates: types, operations, amounts, levels of acknowledgement. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "lattice/catalog.hpp"
#include "tools/node/command.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {

/// All of these fail with kUnknown ("did you mean") or kMalformed, before anything is sent.
core::Result<lattice::TypeId> type_of_word(std::string_view word);

/// "KEY TYPE OP [ARG]…" as an update. Amounts of increment and decrement default to 1.
core::Result<node::Update> update_of_words(std::string_view key, std::string_view type, std::string_view operation,
                                           std::span<const std::string> arguments);

/// "" (the node's default), "received", "durable", or a number of nodes from 1 to 65,535.
core::Result<rpc::Ack> ack_of_word(std::string_view word);

/// A key: 1 to 1,024 bytes.
core::Status check_key(std::string_view key);

/// A whole 64-bit number; `what` says in the error what it is for.
core::Result<std::int64_t> integer_of_word(std::string_view word, std::string_view what);

}  // namespace anabranch::cli
