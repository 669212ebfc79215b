// node::Node::start of the fake, so that the whole command line can be run as a process without the engine.
#include "tests/tools/fake_node.hpp"

namespace anabranch::node {

core::Result<std::unique_ptr<Node>> Node::start(NodeConfig config) {
  return std::make_unique<testing::FakeNode>(std::move(config));
}

}  // namespace anabranch::node
