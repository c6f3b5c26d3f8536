#include "report/evidence/bag.hpp"

#include "report/evidence/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace callwitness::report {
namespace {

namespace fs = std::filesystem;
using capture::Error;
using capture::Result;

constexpr const char* payload_manifest = "manifest-sha256.txt";
constexpr const char* tag_manifest = "tagmanifest-sha256.txt";
constexpr std::size_t file_limit = 10'000;

Result<std::string> manifest_of(const fs::path& folder, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    const auto hash = sha256_of_file((folder / name).string());
    if (!hash) return hash.error();
    text += fmt::format("{}  {}\n", hash.value(), name);
  }
  return text;
}

/// Relative, downward, and the one way to write it: or a file could be listed twice under two names.
bool stays_inside(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && path.is_relative() && path.lexically_normal().generic_string() == name && *path.begin() != ".." && name != ".";
}

/// Compares the files that one manifest lists; adds their names to `listed`.
Result<void> check_manifest(const fs::path& folder, const char* manifest, std::set<std::string>& listed,
                            std::vector<std::string>& differences) {
  const auto text = read_file((folder / manifest).string());
  if (!text) return text.error();
  if (text.value().empty() || text.value().back() != '\n') differences.push_back(fmt::format("{}: it doesn't end with a line break", manifest));
  if (static_cast<std::size_t>(std::count(text.value().begin(), text.value().end(), '\n')) > file_limit) {
    differences.push_back(fmt::format("{}: it lists more than {} files", manifest, file_limit));
    return {};
  }
  std::size_t start = 0;
  constexpr std::size_t hash_length = 64;
  while (start < text.value().size()) {
    const auto end = std::min(text.value().find('\n', start), text.value().size());
    const std::string line = text.value().substr(start, end - start);
    start = end + 1;
    const std::string name = line.size() > hash_length + 2 ? line.substr(hash_length + 2) : "";
    if (!stays_inside(name) || line.substr(hash_length, 2) != "  ") {
      differences.push_back(fmt::format("{}: a line is not 'hash  name'", manifest));
      continue;
    }
    if (!listed.insert(name).second) {
      differences.push_back(fmt::format("{}: {} is listed twice", manifest, name));
      continue;
    }
    const auto hash = sha256_of_file((folder / name).string());
    if (!hash) differences.push_back(fmt::format("{} is missing or can't be read", name));
    else if (hash.value() != line.substr(0, hash_length)) differences.push_back(fmt::format("{} was changed", name));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> files_below(const std::string& path) {
  const fs::path folder(path);
  std::vector<std::string> found;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    const auto status = entry->symlink_status();
    if (fs::is_directory(status)) continue;
    const std::string name = entry->path().lexically_relative(folder).generic_string();
    if (!fs::is_regular_file(status) || found.size() >= file_limit) {
      return Error{Error::Kind::verification, "read the bundle " + folder.string(), name + " is not a regular file", ""};
    }
    found.push_back(name);
  }
  if (failure) {
    return Error{Error::Kind::unreadable, "read the bundle " + folder.string(), failure.message(), "check the path"};
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> seal_bag(const std::string& folder, const std::map<std::string, std::string>& information) {
  const fs::path root(folder);
  auto payload = files_below((root / "data").string());
  if (!payload) return payload.error();
  for (auto& name : payload.value()) name = "data/" + name;
  const auto manifest = manifest_of(root, payload.value());
  if (!manifest) return manifest.error();
  std::uintmax_t octets = 0;
  for (const auto& name : payload.value()) {
    std::error_code failed;
    const auto size = fs::file_size(root / name, failed);
    octets += failed ? 0 : size;
  }
  std::string lines = fmt::format("Payload-Oxum: {}.{}\n", octets, payload.value().size());
  for (const auto& [label, value] : information) lines += fmt::format("{}: {}\n", label, value);
  const std::vector<std::pair<std::string, std::string>> tags = {
      {"bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"},
      {"bag-info.txt", lines},
      {payload_manifest, manifest.value()}};
  for (const auto& [name, content] : tags) {
    if (auto made = create_file((root / name).string(), content); !made) return made;
  }
  const auto all = files_below(folder);
  if (!all) return all.error();
  std::vector<std::string> tag_files;
  for (const auto& name : all.value())
    if (!name.starts_with("data/")) tag_files.push_back(name);
  const auto sealed = manifest_of(root, tag_files);
  if (!sealed) return sealed.error();
  return create_file((root / tag_manifest).string(), sealed.value());
}

Result<std::vector<std::string>> check_bag(const std::string& folder) {
  // First of all that nothing but plain files is in it: only such are opened.
  const auto present = files_below(folder);
  if (!present) return present.error();
  std::vector<std::string> differences;
  std::set<std::string> listed = {tag_manifest, std::string(tag_manifest) + ".minisig"};
  for (const char* manifest : {tag_manifest, payload_manifest}) {
    if (const auto checked = check_manifest(folder, manifest, listed, differences); !checked) return checked.error();
  }
  for (const char* needed : {"bagit.txt", "bag-info.txt", payload_manifest})
    if (!listed.contains(needed)) differences.push_back(fmt::format("{} doesn't list {}", tag_manifest, needed));
  for (const auto& name : present.value()) {
    if (!listed.contains(name)) differences.push_back(fmt::format("{} is in no manifest", name));
  }
  return differences;
}

}  // namespace callwitness::report
