"""The gRPC side: contract messages in, the rules called, contract messages out."""
