//! What WeChat says: wire formats and limits. Imports nothing of ours, does no I/O, reads no clock.
