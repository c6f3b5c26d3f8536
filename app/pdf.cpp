#include "app/pdf.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace callwitness::app {
namespace {

namespace fs = std::filesystem;

/// Runs the browser without a shell, its output thrown away; true if it succeeded.
bool run(const char* program, const std::vector<std::string>& arguments) {
  std::vector<char*> pointers = {const_cast<char*>(program)};
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, program, &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

capture::Result<void> write_pdf(const std::string& html, const std::string& pdf) {
  std::string profile = (fs::temp_directory_path() / "callwitness-pdf-XXXXXX").string();
  if (mkdtemp(profile.data()) == nullptr) return capture::Error{capture::Error::Kind::failed, "make " + pdf, "no temporary folder could be made", ""};
  std::vector<std::string> arguments = {"--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
                                        "--no-pdf-header-footer", "--user-data-dir=" + profile, "--print-to-pdf=" + fs::absolute(pdf).string(), "file://" + fs::absolute(html).string()};
  if (geteuid() == 0) arguments.insert(arguments.begin(), "--no-sandbox");   // Chromium refuses to sandbox itself for root
  bool done = false;
  for (const char* program : {"chromium", "chromium-browser", "google-chrome"}) done = done || run(program, arguments);
  std::error_code ignored;
  fs::remove_all(profile, ignored);
  if (done && fs::exists(pdf, ignored)) {
    chmod(pdf.c_str(), 0600);
    return {};
  }
  return capture::Error{capture::Error::Kind::failed, "make " + pdf, "no Chromium could print the page", "install chromium, or print report.html from any browser"};
}

}  // namespace callwitness::app
