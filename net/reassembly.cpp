#include "net/reassembly.hpp"

namespace anabranch::net {

core::Result<std::optional<core::Bytes>> Reassembly::add(const Fragment& piece) {
  if (piece.message < first_) return std::nullopt;  // complete, and told before
  const std::uint64_t ahead = piece.message - first_;
  if (ahead >= kLargeMessageSpan) return core::fail(core::Errc::kFull, "piece of a message too far ahead");
  if (((done_ >> ahead) & 1) != 0) return std::nullopt;

  auto found = partial_.find(piece.message);
  if (found == partial_.end()) {
    if (partial_.size() >= kLargeMessagesMax) return core::fail(core::Errc::kFull, "too many messages in pieces");
    found = partial_.emplace(piece.message, Partial{}).first;
    found->second.pieces.resize(piece.count);
  }
  Partial& partial = found->second;
  if (partial.pieces.size() != piece.count) return core::fail(core::Errc::kMalformed, "pieces differ in their number");
  core::Bytes& place = partial.pieces[piece.index];
  if (!place.empty()) return std::nullopt;
  place = piece.data;
  ++partial.present;
  partial.bytes += piece.data.size();
  bytes_ += piece.data.size();
  if (partial.present < partial.pieces.size()) return std::nullopt;

  core::Bytes whole;
  whole.reserve(partial.bytes);
  for (const core::Bytes& part : partial.pieces) whole += part;
  bytes_ -= partial.bytes;
  partial_.erase(found);
  complete(piece.message);
  return whole;
}

void Reassembly::complete(std::uint64_t message) {
  done_ |= std::uint64_t{1} << (message - first_);
  while ((done_ & 1) != 0) {
    done_ >>= 1;
    ++first_;
  }
}

}  // namespace anabranch::net
