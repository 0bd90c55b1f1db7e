"""Files into tables: streamed, tested, in batches of one transaction each, with a log of every row that stayed out.

    stream --pieces--> values tested --rows--> server, halved where it refuses --mark--> log, rejected rows, mail

`desk` takes orders; `uploading` makes one upload; `loading` takes its pieces; `session` and a `server` put rows in.
"""
