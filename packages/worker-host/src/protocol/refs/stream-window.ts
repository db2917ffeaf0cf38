/*
 * How far a stream's producer may be ahead of its reader. The reader keeps a window of items, and tells the producer
 * each time half a window has been read. The window begins small, so that ten thousand streams that are opened at once
 * take little memory. It doubles while the reader has to wait for items, up to where a record's cost no longer counts.
 */
export const FIRST_WINDOW = 16;
export const MAX_WINDOW = 1024;

/** The same in encoded bytes, so that large items take no more memory. At least one record is always on its way. */
export const WINDOW_BYTES = 128 * 1024;

/** Items that one record carries at most, and the bytes from which a record is not made longer. */
export const MAX_BATCH = 128;
export const BATCH_BYTES = 16 * 1024;
