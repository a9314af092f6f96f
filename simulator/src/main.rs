//! wx-sim: a WeChat on your own desk.

fn main() {}
