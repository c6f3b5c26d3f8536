#include "report/evidence/archive.hpp"

#include "report/evidence/bag.hpp"
#include "report/evidence/files.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

namespace callwitness::report {
namespace {

namespace fs = std::filesystem;
using capture::Error;
using capture::Result;

constexpr zip_int64_t file_limit = 10'000;
constexpr std::uint64_t bytes_always = 64u << 20, growth_limit = 100, bytes_limit = std::uint64_t{16} << 30;
constexpr std::size_t name_limit = 512;
constexpr int depth_limit = 8;
constexpr const char* too_much = "the archive unpacks to far more than a bundle holds";
constexpr zip_uint16_t dos_epoch_date = 1 << 5 | 1;   // 1980-01-01

/// The archive's comment ends in the SHA-256 of all bytes before it: what is unpacked is hashed and signed anyway, but the
/// zip's own fields aren't, and deflate has bits to spare. `head -c -64 FILE | sha256sum` checks it.
constexpr std::string_view seal = "callwitness bundle; SHA-256 of all bytes before it: ";
constexpr std::size_t hash_length = 64;

/// Thrown away unless closed: a half-written archive is none.
using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using Entry = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

Error refused(const std::string& archive, const std::string& reason) { return {Error::Kind::verification, "unpack " + archive, reason, ""}; }

std::string reason_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

/// Relative, downward, printable ASCII: all that we ever write, and nothing that a file system would read otherwise.
bool is_harmless(std::string_view name) {
  if (name.empty() || name.size() > name_limit || name.front() == '/' || std::count(name.begin(), name.end(), '/') > depth_limit) return false;
  if (std::any_of(name.begin(), name.end(), [](char c) { return c < 0x20 || c > 0x7e || c == '\\' || c == ':'; })) return false;
  const fs::path path{std::string(name)};
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".." || part == "."; });
}

bool is_link_or_device(zip_t* archive, zip_uint64_t index) {
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  if (zip_file_get_external_attributes(archive, index, 0, &system, &attributes) != 0) return true;
  const auto kind = attributes >> 16 & S_IFMT;
  return system == ZIP_OPSYS_UNIX && kind != 0 && kind != S_IFREG && kind != S_IFDIR;
}

/// One entry into a new file; takes what it holds off `budget`.
Result<void> unpack_entry(zip_t* archive, zip_uint64_t index, const std::string& name, const fs::path& into, std::uint64_t& budget) {
  std::error_code failed;
  fs::create_directories((into / name).parent_path(), failed);
  const Entry entry(zip_fopen_index(archive, index, 0), zip_fclose);
  if (!entry) return refused(name, zip_strerror(archive));
  const int file = open((into / name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return refused(name, std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> guard(&file, [](const int* descriptor) { close(*descriptor); });
  std::array<char, 65536> buffer;
  for (;;) {
    const auto got = zip_fread(entry.get(), buffer.data(), buffer.size());
    if (got < 0) return refused(name, "it is damaged");
    if (got == 0) return {};
    if (static_cast<std::uint64_t>(got) > budget) return refused(name, too_much);
    budget -= static_cast<std::uint64_t>(got);
    for (zip_int64_t done = 0; done < got;) {
      const auto written = write(file, buffer.data() + done, static_cast<std::size_t>(got - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Error{Error::Kind::failed, "unpack " + name, std::strerror(errno), "check the free space"};
      done += written;
    }
  }
}

/// Puts the hash where zeros stand.
Result<void> seal_archive(const std::string& path) {
  const Error failure{Error::Kind::failed, "make " + path, "its hash could not be written", "check the free space"};
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed || size < hash_length) return failure;
  const auto hash = sha256_of_file(path, size - hash_length);
  if (!hash) return hash.error();
  const int file = open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return failure;
  const auto written = pwrite(file, hash.value().data(), hash_length, static_cast<off_t>(size - hash_length));
  return close(file) == 0 && written == static_cast<ssize_t>(hash_length) ? Result<void>{} : failure;
}

/// Empty: it is as it was packed, or another program's zip, which has no seal.
std::string broken_seal(zip_t* archive, const std::string& path, std::uint64_t size) {
  int length = 0;
  const char* raw = zip_get_archive_comment(archive, &length, ZIP_FL_ENC_RAW);
  const std::string_view comment(raw == nullptr ? "" : raw, raw == nullptr || length < 0 ? 0 : static_cast<std::size_t>(length));
  if (comment.empty()) return {};
  if (comment.size() != seal.size() + hash_length || !comment.starts_with(seal)) return "its comment is not the one that callwitness writes";
  const auto hash = sha256_of_file(path, size - hash_length);
  return hash && comment.substr(seal.size()) == hash.value() ? "" : "a byte of it was changed";
}

}  // namespace

Result<void> pack_folder(const std::string& folder, const std::string& path) {
  const auto files = files_below(folder);
  if (!files) return files.error();
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_EXCL, &code), zip_discard);
  if (!archive) return Error{Error::Kind::failed, "make " + path, reason_of(code), code == ZIP_ER_EXISTS ? "name a file that isn't there yet" : ""};
  const auto root = fs::path(folder).lexically_normal();
  const auto name = (root.has_filename() ? root : root.parent_path()).filename().string();
  for (const auto& file : files.value()) {
    zip_source_t* source = zip_source_file(archive.get(), (fs::path(folder) / file).c_str(), 0, -1);
    const auto index = source == nullptr ? -1 : zip_file_add(archive.get(), fmt::format("{}/{}", name, file).c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      if (source != nullptr) zip_source_free(source);
      return Error{Error::Kind::failed, "pack " + file, zip_strerror(archive.get()), ""};
    }
    zip_file_set_dostime(archive.get(), static_cast<zip_uint64_t>(index), 0, dos_epoch_date, 0);
    zip_file_set_external_attributes(archive.get(), static_cast<zip_uint64_t>(index), 0, ZIP_OPSYS_UNIX, (S_IFREG | 0600u) << 16);
  }
  const auto comment = std::string(seal) + std::string(hash_length, '0');
  zip_set_archive_comment(archive.get(), comment.data(), static_cast<zip_uint16_t>(comment.size()));
  if (zip_close(archive.get()) != 0) return Error{Error::Kind::failed, "make " + path, zip_strerror(archive.get()), "check the free space"};
  static_cast<void>(archive.release());   // zip_close has freed it
  chmod(path.c_str(), 0600);
  return seal_archive(path);
}

Result<std::string> unpack_archive(const std::string& path, const std::string& into) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return Error{Error::Kind::unreadable, "read " + path, "it is no file that can be read", "name the folder or the zip that callwitness report made"};
  int code = 0;
  const Archive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code), zip_discard);
  if (!archive) return refused(path, "it is no whole zip archive (" + reason_of(code) + ")");
  if (const auto fault = broken_seal(archive.get(), path, static_cast<std::uint64_t>(status.st_size)); !fault.empty()) return refused(path, fault);
  const auto count = zip_get_num_entries(archive.get(), 0);
  if (count <= 0 || count > file_limit) return refused(path, "it holds no files, or too many");
  const std::uint64_t most = std::min(bytes_always + growth_limit * static_cast<std::uint64_t>(status.st_size), bytes_limit);
  std::uint64_t budget = most, declared = 0;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    zip_stat_t entry;
    if (zip_stat_index(archive.get(), i, 0, &entry) != 0 || (entry.valid & ZIP_STAT_SIZE) == 0) return refused(path, "an entry's size is not told");
    if (entry.size > most || (declared += entry.size) > most) return refused(path, too_much);   // nothing is written yet
  }
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    const char* raw = zip_get_name(archive.get(), i, ZIP_FL_ENC_RAW);
    const std::string name = raw == nullptr ? "" : raw;
    zip_stat_t entry;
    if (!is_harmless(name) || zip_stat_index(archive.get(), i, 0, &entry) != 0 || is_link_or_device(archive.get(), i))
      return refused(path, "an entry's name leads elsewhere, or it is no plain file");
    if ((entry.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && entry.encryption_method != ZIP_EM_NONE) return refused(path, "it is encrypted");
    if (name.back() == '/') continue;   // folders are made as files need them
    if (const auto done = unpack_entry(archive.get(), i, name, into, budget); !done) return done.error();
  }
  if (fs::exists(fs::path(into) / "bagit.txt")) return into;
  std::error_code failed;
  for (const auto& child : fs::directory_iterator(into, failed))
    if (child.is_directory() && fs::exists(child.path() / "bagit.txt")) return child.path().string();
  return refused(path, "it holds no bundle (no bagit.txt)");
}

TemporaryFolder::TemporaryFolder() {
  std::error_code failed;
  std::string pattern = (fs::temp_directory_path(failed) / "callwitness-XXXXXX").string();
  if (!failed && mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace callwitness::report
