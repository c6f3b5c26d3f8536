#include "classify/classifier.hpp"
namespace callwitness::classify {
struct Classifier::State { MediaSink& sink; };
Classifier::Classifier(MediaSink& sink, const ClassifierOptions&) : state_(new State{sink}) {}
Classifier::~Classifier() = default;
void Classifier::on_datagram(const Datagram&) {}
void Classifier::on_idle(Time now) { state_->sink.on_idle(now); }
void Classifier::finish() { state_->sink.finish({}); }
}  // namespace callwitness::classify
