#include "app/pipeline.hpp"
#include "report/writer.hpp"

#include <iostream>

int main(int argc, char** argv) {
  const auto analysis = callwitness::app::analyze_inputs({argv + 1, argv + argc}, {});
  if (!analysis) {
    std::cerr << analysis.error().attempted << ": " << analysis.error().reason << '\n';
    return 3;
  }
  callwitness::report::write_json(analysis.value(), std::cout);
}
