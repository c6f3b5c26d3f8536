// Names handed on between flows of one socket.
#include "classify/calls/kinship.hpp"
#include "classify_support.hpp"

using namespace callwitness;
using namespace callwitness::classify;
using classify::test::Buffer;
using classify::test::endpoint;
using classify::test::Wire;

namespace {

const Endpoint socket_a = endpoint("192.168.1.2", 40906), socket_b = endpoint("192.168.1.2", 42405);
const Endpoint relay = endpoint("91.108.9.35", 1400), peer = endpoint("203.0.113.115", 35393), stranger = endpoint("198.51.100.9", 4444);

Flow flow(std::uint32_t id, const Endpoint& from, const Endpoint& to, Label label, double from_s = 0, double to_s = 10) {
  Flow made;
  made.id = FlowId{id};
  made.five_tuple = {from, to, capture::protocol::udp};
  made.first_time = Time(std::chrono::milliseconds(static_cast<int>(from_s * 1000)));
  made.last_time = Time(std::chrono::milliseconds(static_cast<int>(to_s * 1000)));
  made.label = label;
  return made;
}
const Label telegram{"telegram", 0.9, Basis::name}, webrtc{"webrtc", 0.4, Basis::format}, rtp{"rtp", 0.8, Basis::behaviour};

}  // namespace

TEST_CASE("a relay's name goes to the socket, the peer and the peer's other sockets", "[classify]") {
  std::vector<Attempt> attempts;
  std::vector<Flow> flows = {flow(0, socket_a, relay, telegram), flow(1, socket_a, peer, webrtc), flow(2, socket_b, peer, rtp),
                             flow(3, endpoint("192.168.1.2", 5555), stranger, rtp)};
  name_by_kin(flows, attempts);
  CHECK(flows[1].label.application == "telegram");
  CHECK(flows[2].label.application == "telegram");
  CHECK(flows[2].label.confidence < flows[1].label.confidence);
  CHECK(flows[1].label.confidence < telegram.confidence);
  CHECK(flows[3].label.application == "rtp");
}

TEST_CASE("kin that disagree, that are uncertain or of another hour hand on nothing", "[classify]") {
  std::vector<Attempt> attempts;
  std::vector<Flow> torn = {flow(0, socket_a, relay, telegram), flow(1, socket_a, stranger, {"signal", 0.9, Basis::name}), flow(2, socket_a, peer, webrtc)};
  name_by_kin(torn, attempts);
  CHECK(torn[2].label.application == "webrtc");
  std::vector<Flow> unsure = {flow(0, socket_a, relay, {"telegram", 0.6, Basis::port}), flow(1, socket_a, peer, webrtc)};
  name_by_kin(unsure, attempts);
  CHECK(unsure[1].label.application == "webrtc");
  std::vector<Flow> late = {flow(0, socket_a, relay, telegram), flow(1, socket_a, peer, webrtc, 80, 90)};
  name_by_kin(late, attempts);
  CHECK(late[1].label.application == "webrtc");
}

TEST_CASE("signalling, tunnels and flows that say nothing of themselves are left alone", "[classify]") {
  std::vector<Attempt> attempts;
  std::vector<Flow> flows = {flow(0, socket_a, relay, telegram), flow(1, socket_a, peer, {"sip", 0.97, Basis::format}), flow(2, socket_a, stranger, {})};
  flows[1].role = Role::signalling;
  name_by_kin(flows, attempts);
  CHECK(flows[1].label.application == "sip");
  CHECK(flows[2].label.application.empty());
}

TEST_CASE("a STUN try from a named socket bears its name", "[classify]") {
  Attempt asked, other;
  asked.application = other.application = "webrtc";
  asked.flows = {FlowId{1}};
  other.flows = {FlowId{2}};
  std::vector<Attempt> attempts = {asked, other};
  std::vector<Flow> flows = {flow(0, socket_a, relay, telegram), flow(1, socket_a, stranger, {}), flow(2, socket_b, stranger, {}, 200, 210)};
  name_by_kin(flows, attempts);
  CHECK(attempts[0].application == "telegram");
  CHECK(attempts[1].application == "webrtc");
}

TEST_CASE("a call between peers bears the name of the relay that its socket had asked", "[classify]") {
  Wire wire;
  const Buffer ask = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  Buffer answer = ask;
  answer[0] = 1;
  wire.udp(0, socket_a, relay, ask);
  wire.udp(30, relay, socket_a, answer);
  wire.udp(100, socket_a, peer, ask);
  wire.udp(140, peer, socket_a, answer);
  classify::test::call(wire, 200, socket_a, peer, 70'000, 200, 111);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].label.application == "telegram");
  CHECK(result.calls[0].label.confidence < 0.9);
}
