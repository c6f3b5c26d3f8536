#include "capture/files/inputs.hpp"

#include "capture/files/damage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace callwitness::capture {

namespace {
bool named_as_capture(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  for (const std::string_view packed : {".gz", ".zst", ".xz"})
    if (name.ends_with(packed)) name.resize(name.size() - packed.size());
  return name.ends_with(".pcap") || name.ends_with(".pcapng") || name.ends_with(".cap") || name.ends_with(".ntar");
}
}  // namespace

Result<std::vector<ListedInput>> list_inputs(const std::vector<std::string>& names) {
  std::vector<ListedInput> inputs;
  for (const std::string& name : names) {
    std::error_code error;
    if (name == "-" || !std::filesystem::is_directory(name, error)) {
      inputs.push_back({name, false, false});
      continue;
    }
    std::vector<std::filesystem::path> found;
    std::filesystem::directory_iterator entries(name, error);
    for (const std::filesystem::directory_iterator end; !error && entries != end; entries.increment(error)) {
      std::error_code ignored;
      if (entries->is_regular_file(ignored)) found.push_back(entries->path());
    }
    if (error)
      return Error{Error::Kind::unreadable, "list " + printable_name(name), error.message(), "check its permissions"};
    std::sort(found.begin(), found.end());
    for (const auto& path : found) inputs.push_back({path.string(), true, !named_as_capture(path)});
  }
  if (inputs.empty()) return no_captures(names);
  return inputs;
}

Error no_captures(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + printable_name(name);
  return Error{Error::Kind::unreadable, "read " + (all.empty() ? "nothing" : all), "no captures found there",
               "give pcap or pcapng files, or a directory that holds some"};
}

void tell_unreadable(CaptureRecord& record, const Error& error) {
  record.damaged = true;
  record.problems.push_back(fmt::format("{}: {}{}{}", error.attempted, error.reason, error.remedy.empty() ? "" : "; ",
                                        error.remedy));
}

}  // namespace callwitness::capture
