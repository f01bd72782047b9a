"""A local Sage X3: api1 (REST) and Xtrem (GraphQL) over one seeded dataset, for tests and demonstrations.

Marks in comments say where a rule comes from: [D] documented by Sage, [C] seen in public code or a third
party's production documentation, [I] inferred, [?] unknown, where the stricter reading is taken.
"""

from __future__ import annotations
