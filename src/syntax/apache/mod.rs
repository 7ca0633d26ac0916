//! httpd: logical lines, sections, words.
