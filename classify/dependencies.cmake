target_link_libraries(callwitness_classify PRIVATE PkgConfig::NDPI PkgConfig::SECCOMP OpenSSL::Crypto)
