// Which files the user's arguments name.
#pragma once

#include "capture/record.hpp"

#include <string>
#include <vector>

namespace callwitness::capture {

struct ListedInput {
  std::string path;
  bool from_directory = false;
  bool skippable = false;   ///< its name does not say that it is a capture
};

/// Files as given, directories as the regular files in them by name, not deeper.
Result<std::vector<ListedInput>> list_inputs(const std::vector<std::string>& names);
Error no_captures(const std::vector<std::string>& names);
void tell_unreadable(CaptureRecord& record, const Error& error);

}  // namespace callwitness::capture
