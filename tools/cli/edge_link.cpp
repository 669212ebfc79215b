// Links of edge clients over the blocking RPC client.
#include "tools/cli/edge_client.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kConnectTimeout = core::kSecond;

class RpcLink final : public NodeLink {
 public:
  explicit RpcLink(std::unique_ptr<rpc::Client> client) : client_(std::move(client)) {}
  std::uint64_t submit(std::span<const node::Update> updates, rpc::Ack ack) override {
    return client_->submit(updates, ack);
  }
  core::Result<node::UpdateReply> await(std::uint64_t ticket, core::Duration timeout) override {
    return client_->await(ticket, timeout);
  }

 private:
  std::unique_ptr<rpc::Client> client_;
};

}  // namespace

core::Result<std::unique_ptr<NodeLink>> rpc_link(const std::string& address) {
  auto client = rpc::Client::connect(address, kConnectTimeout);
  if (!client) return tl::unexpected<core::Error>(client.error());
  return std::unique_ptr<NodeLink>(std::make_unique<RpcLink>(std::move(*client)));
}

LinkFactory rpc_links(std::vector<std::string> addresses) {
  return [addresses = std::move(addresses)](std::size_t node) { return rpc_link(addresses[node]); };
}

}  // namespace anabranch::cli
