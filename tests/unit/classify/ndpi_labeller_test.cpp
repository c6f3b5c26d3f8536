#include "capture/decoder.hpp"
#include "capture/source.hpp"
#include "classify/ndpi/labeller.hpp"

#include <signal.h>
#include <catch2/catch.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

using namespace callwitness;
using classify::FlowId;
using classify::ndpi::Labeller;

namespace {

using Named = std::map<std::uint32_t, std::string>;

Named named(const std::vector<classify::ndpi::Answer>& answers) {
  Named by_flow;
  for (const auto& answer : answers)
    by_flow[static_cast<std::uint32_t>(answer.flow)] =
        std::string(answer.master) + "/" + std::string(answer.application);
  return by_flow;
}

/// The payload of a DNS query for example.com with this transaction id.
std::vector<std::uint8_t> dns_query(std::uint8_t id) {
  std::vector<std::uint8_t> bytes{0x12, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7};
  for (const char c : std::string("example\3com")) bytes.push_back(static_cast<std::uint8_t>(c));
  bytes.insert(bytes.end(), {0, 0, 1, 0, 1});
  return bytes;
}

/// A DTLS handshake with a certificate whose organisation is "Cloudflare", at which nDPI 4.2 dereferences null.
std::vector<std::uint8_t> dtls_certificate() {
  const std::vector<std::uint8_t> name{0x30, 21, 0x31, 19, 0x30, 17, 0x06, 3, 0x55, 4, 0x0a, 0x0c, 10,
                                       'C',  'l', 'o', 'u', 'd', 'f', 'l', 'a', 'r', 'e'};
  std::vector<std::uint8_t> certificate(40, 0x30);
  certificate.insert(certificate.end(), name.begin(), name.end());
  certificate.insert(certificate.end(), 300, 0);
  const auto length = [](std::vector<std::uint8_t>& to, std::size_t value, int bytes) {
    while (bytes-- > 0) to.push_back(static_cast<std::uint8_t>(value >> (8 * bytes) & 0xff));
  };
  const auto handshake = [&](std::uint8_t type, std::uint8_t number, const std::vector<std::uint8_t>& body) {
    std::vector<std::uint8_t> record{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number};
    length(record, body.size() + 12, 2);
    record.push_back(type);
    length(record, body.size(), 3);
    record.insert(record.end(), {0, number, 0, 0, 0});
    length(record, body.size(), 3);
    record.insert(record.end(), body.begin(), body.end());
    return record;
  };
  std::vector<std::uint8_t> hello{0xfe, 0xfd};
  hello.insert(hello.end(), 32, 0x22);
  hello.insert(hello.end(), {0, 0xc0, 0x2b, 0, 0, 0});
  std::vector<std::uint8_t> chain;
  length(chain, certificate.size() + 3, 3);
  length(chain, certificate.size(), 3);
  chain.insert(chain.end(), certificate.begin(), certificate.end());
  auto datagram = handshake(2, 0, hello);
  const auto second = handshake(11, 1, chain);
  datagram.insert(datagram.end(), second.begin(), second.end());
  return datagram;
}

capture::Datagram udp(const std::vector<std::uint8_t>& payload, std::uint16_t source_port, std::uint16_t port) {
  capture::Datagram datagram;
  datagram.five_tuple = {{capture::IpAddress::v4(0x0a000001), source_port}, {capture::IpAddress::v4(0x5db8d822), port},
                         capture::protocol::udp};
  datagram.payload = payload;
  datagram.payload_length = static_cast<std::uint32_t>(payload.size());
  return datagram;
}

/// Gives each five-tuple a flow and hands everything to the labeller.
class Feeder final : public capture::DatagramSink {
 public:
  Feeder(Labeller& labeller, std::uint32_t first) : labeller_(labeller), next_(first) {}
  void on_datagram(const capture::Datagram& datagram) override {
    auto tuple = datagram.five_tuple;
    if (tuple.destination < tuple.source) tuple = tuple.reversed();
    const auto [at, fresh] = flows_.try_emplace(tuple, next_);
    if (fresh) ++next_;
    labeller_.submit(FlowId{at->second}, datagram);
  }
  std::uint32_t next() const { return next_; }

 private:
  Labeller& labeller_;
  std::map<capture::FiveTuple, std::uint32_t> flows_;
  std::uint32_t next_;
};

std::uint32_t feed_file(Labeller& labeller, const std::string& file, std::uint32_t first) {
  capture::CaptureRecords records;
  capture::Anomalies anomalies;
  Feeder feeder(labeller, first);
  capture::Decoder decoder(feeder, anomalies);
  auto source = capture::open_source({file}, {}, records);
  REQUIRE(source.has_value());
  REQUIRE(source.value()->run(decoder).has_value());
  return feeder.next();
}

int worker_of(int parent) {  // the child of this process's child
  const auto child_of = [](int process) {
    const auto name = std::to_string(process);
    std::ifstream children("/proc/" + name + "/task/" + name + "/children");
    int child = 0;
    children >> child;
    return child;
  };
  const int warden = child_of(parent);
  return warden > 0 ? child_of(warden) : 0;
}

}  // namespace

TEST_CASE("nDPI names a flow in lower case", "[ndpi]") {
  Labeller labeller;
  const auto query = dns_query(1);
  CHECK(labeller.submit(FlowId{7}, udp(query, 40000, 53)));
  const auto answers = labeller.drain();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].flow == FlowId{7});
  CHECK(answers[0].application == "dns");
  CHECK(answers[0].master.empty());
  CHECK(answers[0].certainty == classify::ndpi::Certainty::content);
}

TEST_CASE("a datagram that crashes nDPI costs its own flow's label and nothing else", "[ndpi]") {
  Labeller labeller;
  const auto query = dns_query(1);
  const auto killer = dtls_certificate();
  for (std::uint32_t flow = 0; flow < 300; ++flow) {
    const bool kills = flow % 100 == 50;
    labeller.submit(FlowId{flow}, udp(kills ? killer : query, static_cast<std::uint16_t>(1024 + flow),
                                      kills ? std::uint16_t{40000} : std::uint16_t{53}));
  }
  const auto answers = named(labeller.drain());
  CHECK(answers.size() == 297);
  for (const auto& [flow, name] : answers) CHECK(name == "/dns");
  CHECK(labeller.anomalies().counts().at("ndpi_crashed") == 3);
}

TEST_CASE("the worker killed from outside loses nothing", "[ndpi]") {
  Labeller labeller;
  const auto query = dns_query(1);
  for (std::uint32_t flow = 0; flow < 4000; ++flow) {
    labeller.submit(FlowId{flow}, udp(query, static_cast<std::uint16_t>(1024 + flow), 53));
    labeller.close(FlowId{flow});
    if (flow == 2000)
      if (const int worker = worker_of(getpid()); worker > 0) kill(worker, SIGKILL);
  }
  CHECK(labeller.drain().size() == 4000);
  CHECK(labeller.anomalies().counts().empty());
}

TEST_CASE("what nDPI should not see is left out", "[ndpi]") {
  Labeller labeller;
  const std::vector<std::uint8_t> huge(Labeller::payload_limit + 1, '?');
  const auto query = dns_query(1);
  labeller.submit(FlowId{0}, udp(huge, 40000, 53));
  labeller.submit(FlowId{1}, udp({}, 40001, 53));
  auto fragment = udp(query, 40002, 53);
  fragment.fragmented = true;
  labeller.submit(FlowId{2}, fragment);
  CHECK(labeller.drain().empty());
  CHECK(labeller.anomalies().counts().empty());
}

TEST_CASE("a flow is asked about once, when it has had its packets", "[ndpi]") {
  Labeller labeller;
  const auto query = dns_query(1);
  for (std::size_t i = 1; i < Labeller::packet_limit; ++i) CHECK(labeller.submit(FlowId{0}, udp(query, 40000, 53)));
  CHECK_FALSE(labeller.submit(FlowId{0}, udp(query, 40000, 53)));
  CHECK_FALSE(labeller.submit(FlowId{0}, udp(query, 40000, 53)));
  labeller.submit(FlowId{1}, udp(query, 40001, 53));
  labeller.forget(FlowId{1});
  CHECK_FALSE(labeller.submit(FlowId{1}, udp(query, 40001, 53)));
  CHECK(labeller.drain().size() == 1);
}

TEST_CASE("known killers of nDPI among innocent flows", "[ndpi]") {
  const std::string hostile = SOURCE_DIR "/../shared/hostile/";
  if (!std::filesystem::exists(hostile)) {
    SUCCEED("skipped: no folder of hostile captures beside the source");
    return;
  }
  Labeller labeller;
  const auto query = dns_query(1);
  std::uint32_t next = 0;
  for (const char* name : {"61_dns_hang_eth.pcap", "62_dns_hang_raw.pcap", "63_dtls_cert_cloudflare.pcap"}) {
    labeller.submit(FlowId{next}, udp(query, static_cast<std::uint16_t>(1024 + next), 53));
    next = feed_file(labeller, hostile + name, next + 1);
  }
  labeller.submit(FlowId{next}, udp(query, 50000, 53));
  const auto answers = named(labeller.drain());
  CHECK(answers.size() == 4);
  for (const auto& [flow, name] : answers) CHECK(name == "/dns");
}

TEST_CASE("answers depend on a flow's own packets only", "[ndpi]") {
  const std::string corpus = SOURCE_DIR "/../shared/corpus/ndpi/";
  if (!std::filesystem::exists(corpus)) {
    SUCCEED("skipped: no corpus beside the source");
    return;
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus))
    if (entry.path().extension() == ".pcap" && entry.file_size() < 200'000) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  if (files.size() > 40) files.resize(40);
  Labeller together;
  Named expected;
  std::vector<std::uint32_t> begins;
  std::uint32_t next = 0;
  for (const auto& file : files) {
    begins.push_back(next);
    next = feed_file(together, file, next);
    together.poll();
  }
  expected = named(together.drain());
  Named backwards;
  Labeller reversed;
  for (std::size_t i = files.size(); i-- > 0;) {
    const auto first = next;
    const auto end = feed_file(reversed, files[i], next);
    next = end;
    for (auto flow = first; flow < end; ++flow) backwards[flow] = std::to_string(begins[i] + flow - first);
  }
  Named found;
  for (const auto& [flow, name] : named(reversed.drain()))
    found[static_cast<std::uint32_t>(std::stoul(backwards.at(flow)))] = name;
  CHECK(expected.size() > 40);
  CHECK(found == expected);
}
