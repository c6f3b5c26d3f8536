// A bundle as one file: the same folder in a zip, for the mail.
#pragma once

#include "capture/result.hpp"

#include <string>

namespace callwitness::report {

/// Packs all files below `folder` into the new file `archive`, under the folder's own name. The same folder gives the same
/// bytes: dates are 1980-01-01.
capture::Result<void> pack_folder(const std::string& folder, const std::string& archive);

/// Unpacks a stranger's archive into the empty folder `into` and returns where the bundle stands in it. Refused, with
/// kind verification: names that lead out, links, encrypted or double entries, more than 10,000 files, and more bytes than
/// 64 MiB and a hundred times the archive.
capture::Result<std::string> unpack_archive(const std::string& archive, const std::string& into);

/// Removes what unpack_archive or a failed report left; errors are ignored.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }   ///< empty: none could be made
 private:
  std::string path_;
};

}  // namespace callwitness::report
