//! What WeChat does with a message: write it, seal it, deliver it, and judge the answer.

pub mod checks;
pub mod deliver;
pub mod envelope;
pub mod journey;
pub mod meaning;
pub mod message;

#[cfg(test)]
pub mod testing;
