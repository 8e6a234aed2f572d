# Prints one more piece of a packed answer; the last piece takes the files along.
#
# Filled in before it is sent: @DIR@ @FROM@ (counted from 1) @PIECE@ @LAST@ (0 or 1)
echo 'regain-frame piece 0 @DIR@'
tail -c +@FROM@ '@DIR@/answer' | head -c @PIECE@
echo
echo regain-end
if [ @LAST@ = 1 ]; then rm -rf '@DIR@'; fi
