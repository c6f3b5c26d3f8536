#include "report/catalogue.hpp"

#include "report/embedded.hpp"

#include <nlohmann/json.hpp>

namespace callwitness::report {

std::vector<std::string_view> plural_categories(std::string_view language) {
  if (language == "ar") return {"zero", "one", "two", "few", "many", "other"};
  return {"one", "other"};
}

std::string_view plural_category(std::string_view language, std::uint64_t count) {
  if (language == "fr") return count < 2 ? "one" : "other";
  if (language != "ar") return count == 1 ? "one" : "other";
  if (count == 0) return "zero";
  if (count == 1) return "one";
  if (count == 2) return "two";
  if (count % 100 >= 3 && count % 100 <= 10) return "few";
  return count % 100 >= 11 ? "many" : "other";
}

Catalogue::Catalogue(std::string_view language) : language_(language == "fr" || language == "ar" ? language : "en") {
  const auto document = nlohmann::json::parse(embedded("report/languages/" + language_ + ".json"));
  for (const auto& [key, message] : document.items()) {
    if (message.is_string()) messages_[key] = message.get<std::string>();
    else
      for (const auto& [form, text] : message.items()) messages_[key + "." + form] = text.get<std::string>();
  }
}

std::string Catalogue::text(std::string_view key, const Parameters& parameters) const {
  const auto found = messages_.find(key);
  if (found == messages_.end()) {
    const auto dot = key.rfind('.');
    std::string readable(dot == std::string_view::npos ? key : key.substr(dot + 1));
    for (char& c : readable) c = c == '_' ? ' ' : c;
    return readable;
  }
  const std::string& message = found->second;
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    const auto open = message.find('{', at);
    const auto close = open == std::string::npos ? open : message.find('}', open);
    if (close == std::string::npos) return out + message.substr(at);
    out += message.substr(at, open - at);
    const auto value = parameters.find(message.substr(open + 1, close - open - 1));
    if (value != parameters.end()) out += value->second;
    at = close + 1;
  }
  return out;
}

std::string Catalogue::plural(std::string_view key, std::uint64_t count, Parameters parameters) const {
  parameters.emplace("n", std::to_string(count));
  return text(std::string(key) + "." + std::string(plural_category(language_, count)), parameters);
}

}  // namespace callwitness::report
