// Everything behind the decoder but nDPI: flows, calls, attempts, meters, detectors, verdict and the JSON of it.
#include "datagrams.hpp"
#include "seeds.hpp"

#include "classify/classifier.hpp"
#include "metrics/analyzer.hpp"
#include "report/writer.hpp"

#include <cstdlib>
#include <sstream>

using namespace callwitness;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::datagrams;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  capture::CaptureRecords records(1);
  metrics::Analyzer analyzer(records);
  classify::ClassifierOptions options;
  options.use_ndpi = false;
  options.flow_limit = 16;
  classify::Classifier classifier(analyzer, options);
  fuzz::read({data, size}, [&](const capture::Datagram& datagram, bool) { classifier.on_datagram(datagram); });
  classifier.finish();
  const auto analysis = analyzer.take_analysis();
  std::ostringstream text;
  report::write_json(analysis, text);
  if (text.str().empty()) std::abort();
  return 0;
}
