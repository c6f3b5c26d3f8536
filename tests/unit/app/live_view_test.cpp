// What the live table says of a call that is made here packet by packet.
#include "app/live_view.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using app::LiveView;
using classify::Time;
using namespace std::chrono_literals;

namespace {

const classify::Endpoint ours{capture::IpAddress::v4(0xc0000205), 40000}, theirs{capture::IpAddress::v4(0xcb007109), 50000};
constexpr Time start{Time(1'700'000'000s)};

struct Nobody final : classify::MediaSink {
  void on_datagram(const classify::Flow&, classify::Way, const capture::Datagram&) override {}
  void on_stream(const classify::Stream&) override {}
  void on_media(const classify::MediaPacket&) override { ++media; }
  void finish(const classify::Classification&) override {}
  int media = 0;
};

/// G.711 both ways; the far end calls, so that "forward" is what we receive.
struct Call {
  Nobody analysis;
  LiveView view{analysis, {ours.address}};
  classify::Flow flow;

  explicit Call(std::uint32_t clock_rate = 8000, std::string codec = "pcmu") {
    flow.five_tuple = {theirs, ours, capture::protocol::udp};
    for (std::uint32_t way = 0; way < 2; ++way) {
      classify::Stream stream;
      stream.id = classify::StreamId{way};
      stream.way = static_cast<classify::Way>(way);
      stream.source = way == 0 ? theirs : ours;
      stream.destination = way == 0 ? ours : theirs;
      stream.ssrc = way;
      stream.codec = codec;
      stream.clock_rate_hz = clock_rate;
      stream.sequence_basis = classify::SequenceBasis::rtp;
      view.on_stream(stream);
    }
  }

  void packet(std::uint32_t way, int number, Time time) {
    capture::Datagram datagram;
    datagram.ip_length = 200;
    view.on_datagram(flow, static_cast<classify::Way>(way), datagram);
    classify::MediaPacket media;
    media.stream = classify::StreamId{way};
    media.time = time;
    media.sequence = static_cast<std::uint32_t>(65'500 + number) & 0xffff;   // over the wrap
    media.media_time = static_cast<std::uint32_t>(number) * 160;
    media.has_sequence = media.has_media_time = true;
    media.payload_bytes = 160;
    view.on_media(media);
  }

  /// Second `second` of the call; every `lose`th packet that we should receive is missing.
  std::vector<std::string> second(int second, int lose = 0, bool deaf = false, std::size_t width = 132) {
    for (int i = 50 * second; i < 50 * (second + 1); ++i) {
      packet(1, i, start + i * 20ms);
      if (!deaf && (lose == 0 || i % lose != 0)) packet(0, i, start + i * 20ms + 7ms);
    }
    return view.lines(start + (second + 1) * 1s, width, 20);
  }
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a whole call is one line: what we send, then what we receive", "[live]") {
  Call call;
  call.second(0);
  const auto lines = call.second(1);
  REQUIRE(lines.size() == 1);
  CHECK(holds(lines[0], "rtp      203.0.113.9:50000"));
  CHECK(holds(lines[0], "0:01 |   80   0.0%  0.0ms  4.4 |   80   0.0%  0.0ms  4.4"));
  CHECK(call.analysis.media == 200);   // nothing is kept from the analysis
}

TEST_CASE("losses are those of ten seconds, and are summed up below", "[live]") {
  Call call;
  for (int second = 0; second < 10; ++second) call.second(second, 10);
  auto lines = call.second(10);
  REQUIRE(lines.size() == 2);
  CHECK(holds(lines[0], " 80   9.0%"));
  CHECK(holds(lines[1], "received: 49 of 549 packets missing so far, 8.9 %"));   // the first is not known to have been
  for (int second = 11; second < 22; ++second) lines = call.second(second);
  CHECK(holds(lines[0], " 80   0.0%"));
  CHECK(holds(lines[1], "missing so far"));
}

TEST_CASE("late and repeated packets are no losses", "[live]") {
  Call call;
  for (const int number : {0, 1, 3, 2, 2, 4, 6, 5, 7, 8}) call.packet(0, number, start + number * 20ms);
  const auto lines = call.view.lines(start + 1s, 132, 20);
  REQUIRE(lines.size() == 1);
  CHECK(holds(lines[0], "|   16   0.0%"));
}

TEST_CASE("a call that falls silent stays, and says for how long", "[live]") {
  Call call;
  call.second(0);
  std::vector<std::string> lines;
  for (int second = 1; second < 6; ++second) lines = call.second(second, 0, true);
  REQUIRE(lines.size() == 2);
  CHECK(holds(lines[0], "|    0      -      -    -"));
  CHECK(lines[1] == "    received: nothing for 5 s");
  lines = call.second(6);
  CHECK(holds(lines[1], "silent 1 time so far, at most 5 s"));
  CHECK(call.view.lines(start + 66s, 132, 20).size() == 3);
  CHECK(call.view.lines(start + 68s, 132, 20).empty());   // a minute after its last packet
}

TEST_CASE("jitter is shown though only the packets tell the clock, MOS only where the codec is known", "[live]") {
  Call call(0, "");
  std::vector<std::string> lines;
  for (int second = 0; second < 4; ++second) lines = call.second(second);
  CHECK(holds(lines[0], "0.0%  0.0ms    ? |"));
}

TEST_CASE("no line is wider than the terminal, nor are there more than fit", "[live]") {
  for (const std::size_t width : {10, 40, 79, 99, 300}) {
    Call call;
    call.second(0, 3);
    for (const auto& line : call.second(1, 3, false, width)) CHECK(line.size() <= width);
    for (const auto& line : LiveView::heading(width)) CHECK(line.size() <= width);
  }
  Call call;
  call.second(0, 3);
  call.second(1, 3);
  CHECK(call.view.lines(start + 9s, 79, 1).size() == 1);
  CHECK(LiveView::heading(79)[1].size() <= 79);
  Call eighty;
  eighty.second(0);
  const auto line = eighty.second(1, 0, false, 79).at(0);
  CHECK(line.substr(line.size() - 4) == " 4.4");   // all of it fits into 80 columns
}
