#include "capture/address.hpp"

#include <catch2/catch.hpp>

using callwitness::capture::Endpoint;
using callwitness::capture::IpAddress;

TEST_CASE("addresses print as RFC 5952 says", "[capture]") {
  CHECK(IpAddress::v4(0xc0000201).text() == "192.0.2.1");
  CHECK(Endpoint{*IpAddress::parse("2001:db8:0::1"), 5060}.text() == "[2001:db8::1]:5060");
  CHECK_FALSE(IpAddress::parse("192.0.2.256"));
}

TEST_CASE("private ranges", "[capture]") {
  CHECK(IpAddress::parse("100.64.0.1")->is_private());
  CHECK(IpAddress::parse("172.31.255.255")->is_private());
  CHECK_FALSE(IpAddress::parse("172.32.0.0")->is_private());
  CHECK(IpAddress::parse("fe80::1")->is_private());
}
