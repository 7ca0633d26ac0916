//! The truth tables of the live tests: data alone, one file a subject.
#![allow(dead_code, unreachable_pub)]

pub mod apache;
mod apache_one;
mod apache_two;
pub mod nginx;
mod nginx_auth;
mod nginx_one;
mod nginx_two;
