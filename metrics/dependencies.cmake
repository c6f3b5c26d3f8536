target_link_libraries(callwitness_metrics PRIVATE Threads::Threads)
