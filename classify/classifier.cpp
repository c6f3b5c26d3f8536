#include "classify/classifier.hpp"

#include "classify/engine.hpp"

namespace callwitness::classify {

struct Classifier::State {
  Engine engine;
};

Classifier::Classifier(MediaSink& sink, const ClassifierOptions& options) : state_(new State{Engine(sink, options)}) {}
Classifier::~Classifier() = default;
void Classifier::on_datagram(const Datagram& datagram) { state_->engine.on_datagram(datagram); }
void Classifier::on_datagrams(std::span<const Datagram> datagrams) { state_->engine.on_datagrams(datagrams); }
void Classifier::on_idle(Time now) { state_->engine.on_idle(now); }
void Classifier::finish() { state_->engine.finish(); }

}  // namespace callwitness::classify
