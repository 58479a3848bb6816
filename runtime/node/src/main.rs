//! Placeholder of a program that is being begun.

fn main() {}
