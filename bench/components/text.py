"""TensorFlow's times for the rows of text.c, on the same strings."""
from timing import both, tf

S = tf.strings
places = [i * 2654435761 % 2**32 for i in range(1000000)]
texts = tf.constant([f"Ab{x % 100} cd{x // 100 % 100} ef" for x in places])
integers = tf.constant([str(x % 1000000) for x in places])
reals = tf.constant([f"{x % 1000}.{x // 1000 % 1000:03}" for x in places])
both("length", lambda t: S.length(t), texts)
both("characters", lambda t: S.length(t, unit="UTF8_CHAR"), texts)
both("lower", lambda t: S.lower(t), texts)
both("split", lambda t: S.split(t, " "), texts)
both("hash_fast", lambda t: S.to_hash_bucket_fast(t, 1000), texts)
both("hash_strong", lambda t: S.to_hash_bucket_strong(t, 1000, [1, 2]), texts)
both("regex_replace", lambda t: S.regex_replace(t, "[0-9]+", "#"), texts)
both("to_number_i64", lambda t: S.to_number(t, tf.int64), integers)
both("to_number_f32", lambda t: S.to_number(t, tf.float32), reals)
