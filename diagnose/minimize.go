package diagnose

// minimize returns a smallest subset of the changes 0 … n-1 that still works: leave out any one of them and it
// no longer does. It is ddmin (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002)
// turned round: what is made small is not a failing input but the set of changes that makes a failing hello
// succeed. All n changes together must work.
//
// works tries several subsets side by side and says of each whether it works. minimal is false if works was
// asked for budget subsets before the end was reached: the result works, but perhaps a smaller one does too.
func minimize(n, budget int, works func(subsets [][]int) []bool) (subset []int, minimal bool) {
	current := make([]int, n)
	for i := range current {
		current[i] = i
	}
	for parts := 2; len(current) > 1; {
		chunks := split(current, parts)
		if budget -= len(chunks); budget < 0 {
			return current, false
		}
		if i := firstTrue(works(chunks)); i >= 0 {
			current, parts = chunks[i], 2
			continue
		}
		if parts > 2 { // of two parts each is the other's complement
			rest := complements(chunks)
			if budget -= len(rest); budget < 0 {
				return current, false
			}
			if i := firstTrue(works(rest)); i >= 0 {
				current, parts = rest[i], max(parts-1, 2)
				continue
			}
		}
		if parts >= len(current) {
			break
		}
		parts = min(2*parts, len(current))
	}
	return current, true
}

// split cuts l into n parts of nearly the same length, none empty. n must be at most len(l).
func split(l []int, n int) [][]int {
	parts := make([][]int, 0, n)
	for i := range n {
		from, to := i*len(l)/n, (i+1)*len(l)/n
		parts = append(parts, l[from:to:to])
	}
	return parts
}

// complements returns, for each part, all the others together.
func complements(parts [][]int) [][]int {
	out := make([][]int, len(parts))
	for i := range parts {
		for j, p := range parts {
			if j != i {
				out[i] = append(out[i], p...)
			}
		}
	}
	return out
}

func firstTrue(l []bool) int {
	for i, ok := range l {
		if ok {
			return i
		}
	}
	return -1
}
