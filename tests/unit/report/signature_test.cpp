#include "report/evidence/files.hpp"
#include "report/evidence/signature.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

using namespace callwitness;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "callwitness-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

}  // namespace

TEST_CASE("SHA-256 of a known text (FIPS 180-2)", "[evidence]") {
  CHECK(report::sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("files are made new and never through a link", "[evidence]") {
  const Folder folder;
  REQUIRE(report::create_file(folder / "a", "text").has_value());
  CHECK_FALSE(report::create_file(folder / "a", "other").has_value());
  fs::create_symlink(folder / "elsewhere", folder / "link");
  CHECK_FALSE(report::create_file(folder / "link", "other").has_value());
  CHECK_FALSE(fs::exists(folder / "elsewhere"));
  CHECK((fs::status(folder / "a").permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a signature holds for the signed bytes only", "[evidence]") {
  const Folder folder;
  REQUIRE(report::make_key(folder / "key").has_value());
  REQUIRE(report::create_file(folder / "manifest", "some evidence\n").has_value());
  REQUIRE(report::sign_file(folder / "manifest", folder / "key", "2026-11-23 callwitness").has_value());
  const auto checked = report::verify_file(folder / "manifest", folder / "key.pub");
  REQUIRE(checked.has_value());
  CHECK(checked.value() == "2026-11-23 callwitness");

  SECTION("the stock minisign agrees, where it is installed") {
    if (std::system("command -v minisign >/dev/null") == 0) {
      const std::string command = "minisign -qVm " + (folder / "manifest") + " -p " + (folder / "key.pub") + " >/dev/null";
      CHECK(std::system(command.c_str()) == 0);
    } else {
      WARN("minisign is not installed: not compared");
    }
  }
  SECTION("one changed byte") {
    fs::remove(folder / "manifest");
    REQUIRE(report::create_file(folder / "manifest", "some Evidence\n").has_value());
    CHECK(report::verify_file(folder / "manifest", folder / "key.pub").error().kind == capture::Error::Kind::verification);
  }
  SECTION("another key") {
    REQUIRE(report::make_key(folder / "other").has_value());
    CHECK_FALSE(report::verify_file(folder / "manifest", folder / "other.pub").has_value());
  }
  SECTION("a changed comment") {
    auto text = report::read_file(folder / "manifest.minisig").value();
    text.replace(text.find("2026-11-23"), 10, "2020-01-01");
    fs::remove(folder / "manifest.minisig");
    REQUIRE(report::create_file(folder / "manifest.minisig", text).has_value());
    CHECK_FALSE(report::verify_file(folder / "manifest", folder / "key.pub").has_value());
  }
}
