// A BagIt folder (RFC 8493): payload under data/, SHA-256 manifests that `sha256sum -c` checks.
#pragma once

#include "capture/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace callwitness::report {

/// Completes a folder whose payload already stands under `folder`/data: bagit.txt, bag-info.txt, manifest-sha256.txt and
/// tagmanifest-sha256.txt, which covers every other file beside data/, too. `information` becomes bag-info.txt.
capture::Result<void> seal_bag(const std::string& folder, const std::map<std::string, std::string>& information);

/// Checks that every file that a manifest names is there and unchanged, that none is there that no manifest names, and
/// that no name leads out of the folder. Returns what differs, a line each; empty: the bag is whole.
capture::Result<std::vector<std::string>> check_bag(const std::string& folder);

/// Regular files below `folder`, as relative paths, sorted. A link or a device is an error: a bag holds files only.
capture::Result<std::vector<std::string>> files_below(const std::string& folder);

}  // namespace callwitness::report
