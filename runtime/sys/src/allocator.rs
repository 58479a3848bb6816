//! [`Allocator`]: the C library's allocator, for a program that has a limit of memory. Where there is no more memory
//! the process ends with an exit status of its own, so that whoever started it knows why it ended.

use std::alloc::{GlobalAlloc, Layout, System};

/// The exit status of a process that got no more memory.
pub const OUT_OF_MEMORY: i32 = 112;

/// To be made the program's allocator with `#[global_allocator]`. Nobody sees an allocation fail.
#[derive(Clone, Copy, Debug)]
pub struct Allocator;

#[allow(unsafe_code, reason = "the trait of allocators")]
// SAFETY: every call is passed on to the system's allocator as it came, and so is what it gives.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        given(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        given(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the same promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        given(unsafe { System.realloc(pointer, layout, size) })
    }
}

fn given(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() {
        end();
    }
    pointer
}

/// Ends the process at once, as an abort would: nothing may be allocated any more, not even for a farewell.
#[cold]
#[allow(unsafe_code, reason = "_exit(2)")]
fn end() -> ! {
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::_exit(OUT_OF_MEMORY) }
}
