"""The HTTP port beside gRPC: webhooks in, metrics, probes, and the sandbox where it is on."""
