#include "app/pipeline.hpp"
#include "report/writer.hpp"

#include <iostream>
#include <string_view>

// Until the options land: `callwitness [analyze] FILE… [--format json]`.
int main(int argc, char** argv) {
  std::vector<std::string> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--format") ++i;
    else if (argument != "analyze") inputs.emplace_back(argument);
  }
  const auto analysis = callwitness::app::analyze_inputs(inputs, {});
  if (!analysis) {
    std::cerr << analysis.error().attempted << ": " << analysis.error().reason << '\n';
    return 3;
  }
  callwitness::report::write_json(analysis.value(), std::cout);
}
