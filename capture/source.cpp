#include "capture/source.hpp"

#include "capture/files/file_reader.hpp"
#include "capture/files/inputs.hpp"
#include "capture/files/packet_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <queue>

namespace callwitness::capture {

namespace {

constexpr std::size_t window_of_one = std::size_t{1} << 20, window_of_several = std::size_t{1} << 18;
/// More inputs than this are closed after a look at their first packet and opened again when their time comes:
/// a long recording in a thousand files needs neither a thousand descriptors nor their windows.
constexpr std::size_t most_open = 64;
constexpr std::size_t most_at_once = 32;

struct Input {
  std::string path;
  CaptureRecord* record = nullptr;
  std::unique_ptr<FileReader> reader;
  Packet head;
  bool has_head = false;
  Time starts;
};

class FileSource final : public PacketSource {
 public:
  FileSource(std::vector<Input> inputs, const SourceOptions& options, StreamOptions stream)
      : inputs_(std::move(inputs)), options_(options), stream_(stream) {
    if (!options_.filter.empty()) filter_ = std::make_unique<PacketFilter>(options_.filter);
  }

  /// Tries the filter on the first packets' link types, so that a wrong one is told before any work.
  Result<void> check_filter() {
    if (!filter_) return {};
    std::optional<Error> error;
    bool any = false;
    for (const Input& input : inputs_) {
      for (const std::uint16_t type : input.record->link_types) {
        const auto prepared = filter_->prepare(static_cast<LinkType>(type));
        if (prepared) any = true;
        else if (!error) error = prepared.error();
      }
    }
    constexpr LinkType ethernet{1};
    if (!any && !error)
      if (const auto prepared = filter_->prepare(ethernet); !prepared) error = prepared.error();
    if (!any && error) return *error;
    return {};
  }

  Result<void> run(PacketSink& sink) override {
    if (inputs_.size() == 1) run_one(inputs_.front(), sink);
    else run_merged(sink);
    for (Input& input : inputs_)
      if (input.reader) close(input);
    tell_filter();
    sink.finish();
    return {};
  }

 private:
  /// Numbers and counts an input's packet. False: the filter leaves it out.
  bool take(Input& input, Packet& packet) {
    packet.ordinal = ++ordinal_;
    if (filter_ && !filter_->matches(packet)) return false;
    if (input.record->first_ordinal == 0) input.record->first_ordinal = ordinal_;
    input.reader->account(packet);
    ++delivered_;
    return true;
  }
  bool enough() const { return options_.packet_limit != 0 && delivered_ >= options_.packet_limit; }

  bool deliver(Input& input, PacketSink& sink) {
    if (take(input, input.head)) sink.on_packet(input.head);
    return !enough();
  }

  /// As many packets at a time as lie in the window together: whoever takes them can look ahead.
  void run_one(Input& input, PacketSink& sink) {
    std::array<Packet, most_at_once> packets;
    while (input.has_head) {
      packets[0] = input.head;
      std::size_t count = take(input, packets[0]) ? 1 : 0;
      while (!enough() && count < most_at_once && input.reader->next_at_hand(packets[count]))
        if (take(input, packets[count])) ++count;
      sink.on_packets({packets.data(), count});
      input.has_head = !enough() && input.reader->next(input.head);
    }
  }

  void run_merged(PacketSink& sink) {
    const auto later = [this](std::size_t a, std::size_t b) {
      return inputs_[a].head.time != inputs_[b].head.time ? inputs_[a].head.time > inputs_[b].head.time : a > b;
    };
    std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> ready(later);
    std::vector<std::size_t> waiting;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].reader && inputs_[i].has_head) ready.push(i);
      else if (inputs_[i].has_head) waiting.push_back(i);
    }
    std::stable_sort(waiting.begin(), waiting.end(),
                     [this](std::size_t a, std::size_t b) { return inputs_[a].starts < inputs_[b].starts; });
    auto next_waiting = waiting.begin();
    for (;;) {
      while (next_waiting != waiting.end() &&
             (ready.empty() || inputs_[*next_waiting].starts <= inputs_[ready.top()].head.time)) {
        if (reopen(inputs_[*next_waiting])) ready.push(*next_waiting);
        ++next_waiting;
      }
      if (ready.empty()) return;
      const std::size_t first = ready.top();
      ready.pop();
      Input& input = inputs_[first];
      if (!deliver(input, sink)) return;
      input.has_head = input.reader->next(input.head);
      if (input.has_head) ready.push(first);
      else close(input);
    }
  }

  bool reopen(Input& input) {
    Untrusted name = input.record->file;
    *input.record = CaptureRecord{};
    input.record->file = std::move(name);
    auto reader = FileReader::open(input.path, stream_, *input.record);
    if (!reader) {
      tell_unreadable(*input.record, reader.error());
      return false;
    }
    input.reader = std::move(*reader);
    input.has_head = input.reader->next(input.head);
    if (!input.has_head) close(input);
    return input.has_head;
  }

  static void close(Input& input) {
    input.reader->finish();
    input.reader.reset();
  }

  void tell_filter() {
    if (!filter_) return;
    for (const auto& [type, reason] : filter_->failed())
      for (Input& input : inputs_)
        if (input.record->link_types.contains(static_cast<std::uint16_t>(type)))
          input.record->problems.push_back(fmt::format("{}: the filter does not fit link type {} ({}): its packets are left out",
                                                       printable_name(input.path), static_cast<int>(type), reason));
  }

  std::vector<Input> inputs_;
  SourceOptions options_;
  StreamOptions stream_;
  std::unique_ptr<PacketFilter> filter_;
  std::uint64_t ordinal_ = 0, delivered_ = 0;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> open_source(const std::vector<std::string>& names, const SourceOptions& options,
                                                  CaptureRecords& records) {
  auto listed = list_inputs(names);
  if (!listed) return listed.error();
  StreamOptions stream;
  stream.window = listed->size() == 1 ? window_of_one : window_of_several;
  stream.byte_limit = options.byte_limit;
  const bool many = listed->size() > most_open;
  std::vector<Input> inputs;
  std::optional<Error> first_error;
  for (const ListedInput& item : *listed) {
    Input input;
    input.path = item.path;
    input.record = &records.emplace_back();
    input.record->file = Untrusted(item.path);
    auto reader = FileReader::open(item.path, stream, *input.record);
    if (!reader) {
      // In a directory, what is no capture was never meant.
      if (item.from_directory && item.skippable) {
        records.pop_back();
        if (!first_error) first_error = reader.error();
        continue;
      }
      tell_unreadable(*input.record, reader.error());
      if (!first_error) first_error = reader.error();
      continue;
    }
    input.reader = std::move(*reader);
    input.has_head = input.reader->next(input.head);
    input.starts = input.head.time;
    if (many && input.has_head && input.reader->reopenable()) input.reader.reset();
    inputs.push_back(std::move(input));
  }
  if (inputs.empty()) {
    const bool one_file = listed->size() == 1 && !listed->front().from_directory;
    if (one_file || !first_error) return first_error ? *first_error : no_captures(names);
    Error error = no_captures(names);
    error.reason += fmt::format("; the first: {}: {}", first_error->attempted, first_error->reason);
    return error;
  }
  auto source = std::make_unique<FileSource>(std::move(inputs), options, stream);
  if (const auto checked = source->check_filter(); !checked) return checked.error();
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace callwitness::capture
