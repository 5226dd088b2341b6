/** Bodies of about `size` bytes. Most of them need many times as much memory when they are parsed. */
const size = 512 * 1024

const base36 = (number: number) => number.toString(36)

function list(item: string | ((index: number) => string)): string {
  return `[${items(item).join(',')}]`
}

function object(member: (index: number) => string): string {
  return `{${items(member).join(',')}}`
}

function items(item: string | ((index: number) => string)): string[] {
  const made: string[] = []
  for (let length = 0; length < size; length += (made.at(-1)?.length ?? 0) + 1) {
    made.push(typeof item === 'string' ? item : item(made.length))
  }
  return made
}

const nested = (open: string, inner: string, close: string) => list(open.repeat(2000) + inner + close.repeat(2000))

/** The bodies by their content. */
export const hostileBodies: Readonly<Record<string, string>> = {
  'an index just below the sparse limit': list('{"34":0}'),
  'an index just below the sparse limit, with spaces': list('{"34" :0}'),
  'an index just below the sparse limit, escaped': list('{"\\u00334":0}'),
  'an index just above the sparse limit': list('{"35":0}'),
  'a large index': list('{"9999":0}'),
  'four indexes': list('{"0":0,"1":0,"2":0,"70":0}'),
  'six indexes': list('{"0":0,"1":0,"2":0,"3":0,"4":0,"142":0}'),
  'an index and a name': list('{"34":0,"a":0}'),
  'indexes in one object': object((at) => `"${at * 5}":0`),
  'sparse indexes in one object': object((at) => `"${at * 1000}":0`),
  'empty objects': list('{}'),
  'empty lists': list('[]'),
  'lists of one number': list('[0]'),
  'lists of a list': list('[[]]'),
  'lists of an object': list('[{}]'),
  'deep lists': nested('[', '', ']'),
  'deep objects': nested('{"":', '0', '}'),
  'objects in objects': list('{"a":{"b":{}}}'),
  'objects with a list': list('{"a":[]}'),
  'objects with different names': list((at) => `{"a${base36(at)}":0}`),
  'objects with two different names each': list((at) => `{"a${base36(at % 1500)}":0,"b${base36(at)}":0}`),
  'objects with twenty different names each': list((at) => {
    return `{${Array.from({ length: 20 }, (_, name) => `"k${base36(at * 20 + name)}":0`).join(',')}}`
  }),
  'different names in one object': object((at) => `"a${base36(at)}":0`),
  'objects with different names and a fraction': list((at) => `{"a${base36(at)}":1.5}`),
  fractions: list('1.5'),
  'fractions among strings': list((at) => (at % 2 ? '1.5' : '""')),
  integers: list('1'),
  'large integers': list('12345678901'),
  'short strings': list((at) => `"${base36(at).padStart(4, '_')}"`),
  'strings with escapes': list((at) => `"\\u0041${base36(at)}"`),
  'strings with one wide character': list('"abcdefghijk\\u4e00"'),
  'a long string': JSON.stringify({ a: 'x'.repeat(size) }),
  'a long string with one wide character': JSON.stringify({ a: `${'x'.repeat(size)}\u4e00` }),
  'a long string of wide characters': JSON.stringify({ a: '\u0101'.repeat(size / 2) }),
  nulls: list('null'),
}
