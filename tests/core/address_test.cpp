#include "core/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace anabranch::core {
namespace {

TEST(Address, ParsesEachFormOfAHost) {
  EXPECT_EQ(parse_address("127.0.0.1:7370"), (Address{0x7F000001, 7370}));
  EXPECT_EQ(parse_address("10.20.30.40:1"), (Address{0x0A141E28, 1}));
  EXPECT_EQ(parse_address("localhost:7370"), (Address{0x7F000001, 7370}));
  EXPECT_EQ(parse_address(":7370"), (Address{0, 7370}));
}

TEST(Address, TakesEveryPort) {
  EXPECT_EQ(parse_address("1.2.3.4:0"), (Address{0x01020304, 0}));
  EXPECT_EQ(parse_address("1.2.3.4:65535"), (Address{0x01020304, 65'535}));
}

TEST(Address, ComesBackFromItsText) {
  EXPECT_EQ(to_string({0x7F000001, 7370}), "127.0.0.1:7370");
  EXPECT_EQ(to_string({}), "0.0.0.0:0");
  for (const Address address : {Address{}, Address{1, 1}, Address{0xC0A80107, 7370}, Address{UINT32_MAX, UINT16_MAX}})
    EXPECT_EQ(parse_address(to_string(address)), address) << to_string(address);
}

TEST(Address, LoopbackIsTheWholeNetwork127) {
  EXPECT_TRUE((Address{0x7F000000, 1}.loopback()));
  EXPECT_TRUE((Address{0x7FFFFFFF, 1}.loopback()));
  EXPECT_FALSE((Address{0x7EFFFFFF, 1}.loopback()));
  EXPECT_FALSE((Address{0x80000000, 1}.loopback()));
  EXPECT_FALSE((Address{0, 1}.loopback()));  // any address is more than loopback
}

TEST(Address, MalformedTextIsNamedInTheError) {
  for (const char* text : {"", "127.0.0.1", "7370", "127.0.0.1:", ":", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1",
                           "1.2.3.4: 1", "1.2.3.4:1 ", "1.2.3.4:0x1", "1.2.3:1", "1.2.3.4.5:1", "256.0.0.1:1",
                           "1.2.3.4 :1", "::1:1", "[::1]:1", "example.org:1"}) {
    const auto parsed = parse_address(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kMalformed) << text;
    EXPECT_NE(parsed.error().message().find(text), std::string::npos) << parsed.error().message();
  }
}

TEST(Address, ResolvesLiteralsAsItParsesThem) {
  EXPECT_EQ(resolve_address("10.20.30.40:1"), (Address{0x0A141E28, 1}));
  EXPECT_EQ(resolve_address("localhost:2"), (Address{0x7F000001, 2}));
  EXPECT_EQ(resolve_address(":3"), (Address{0, 3}));
  EXPECT_EQ(resolve_address("10.20.30.40").error().code, Errc::kMalformed);
}

TEST(Address, ANameThatCannotExistIsUnreachable) {
  const std::string name(300, 'a');  // longer than a name may be: no name service is asked
  EXPECT_EQ(resolve_address(name + ":1").error().code, Errc::kUnreachable);
}

}  // namespace
}  // namespace anabranch::core
