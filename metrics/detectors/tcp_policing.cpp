// D9: policing of TCP, pooled over the flows of one host. docs/methods/tcp_policing.md
#include "metrics/finding_support.hpp"

namespace callwitness::metrics {

std::vector<Finding> tcp_policing(const DetectorInput&) {
  return {};
}

}  // namespace callwitness::metrics
