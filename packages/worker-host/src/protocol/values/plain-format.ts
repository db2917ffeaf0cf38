/*
 * The format of the most frequent messages: small trees of plain objects, arrays, numbers, text, booleans, null,
 * undefined and bytes. A value is a tag and its content; numbers are little-endian.
 *
 *   00–7f  the number itself
 *   80–8f  object of 0–15 keys: bytes of its keys (u8) · for each key its length (u8) and characters · the values
 *   90–9f  array of 0–15 items
 *   a0–bf  text of 0–31 characters
 *   c0–c3  null, undefined, false, true
 *   c4     number: int32
 *   c5     number: float64
 *   c6     text: length (u16)
 *   c7     array: length (u16)
 *   c8     bytes: length (u32)
 *   c9     text with other characters: length (u16), two bytes for each
 *   ca     a Buffer's bytes: length (u32)
 *
 * All other characters are Latin-1, one byte each. An object's keys stand together before its values, so that one
 * comparison finds out whether an object of this shape has been met before.
 */
export const TAG_OBJECT = 0x80;
export const TAG_ARRAY = 0x90;
export const TAG_TEXT = 0xa0;
export const TAG_NULL = 0xc0;
export const TAG_UNDEFINED = 0xc1;
export const TAG_FALSE = 0xc2;
export const TAG_TRUE = 0xc3;
export const TAG_INT32 = 0xc4;
export const TAG_FLOAT64 = 0xc5;
export const TAG_LONG_TEXT = 0xc6;
export const TAG_LONG_ARRAY = 0xc7;
export const TAG_BYTES = 0xc8;
export const TAG_WIDE_TEXT = 0xc9;
export const TAG_BUFFER = 0xca;

export const MAX_SHORT_TEXT = 31;
export const MAX_KEYS = 15;
export const MAX_KEYS_BYTES = 255;
/** A deeper tree gets another encoding. */
export const MAX_DEPTH = 8;
