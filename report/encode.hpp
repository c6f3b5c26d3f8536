// The only way from Untrusted text, or anything that might hold some, to output.
#pragma once

#include "capture/untrusted.hpp"

#include <string>
#include <string_view>

namespace callwitness::report {

/// Valid UTF-8: what isn't becomes \xNN, control characters and those that reorder text (U+202E …) become visible
/// escapes. The other encoders start from this. Bounded to `limit` bytes, an ellipsis then.
std::string visible(std::string_view raw, std::size_t limit = 512);

std::string for_terminal(std::string_view text);   ///< one line, nothing a terminal would obey
std::string for_html(std::string_view text, std::size_t limit = 512);   ///< element content and quoted attributes
std::string for_csv(std::string_view text);        ///< one quoted field; a leading = + - @ tab or CR can't start a formula
std::string for_markdown(std::string_view text);   ///< inline text and table cells
/// A finished JSON document whose strings still hold what would move or turn text (U+009B, U+202E …), those as \uXXXX: the
/// same document to a reader, and harmless on a terminal.
std::string for_json(std::string document);

inline std::string for_terminal(const capture::Untrusted& text) { return for_terminal(text.raw()); }
inline std::string for_html(const capture::Untrusted& text) { return for_html(text.raw()); }
inline std::string for_csv(const capture::Untrusted& text) { return for_csv(text.raw()); }
inline std::string for_markdown(const capture::Untrusted& text) { return for_markdown(text.raw()); }

}  // namespace callwitness::report
